const order = new lambda.Function(this, "Order", { runtime: lambda.Runtime.PYTHON_3_12, handler: "app.handler", code });
this.menu = new NodejsFunction(this, "Menu", { entry: "src/menu.ts" });
const report = new lambda.DockerImageFunction(this, "Report", { code: image });
