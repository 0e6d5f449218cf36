// Reads files as the Serverless Framework does and has the plugin check their settings.
// usage: node accepts.js NODE_MODULES FILE...   prints a line for each file that is refused
const fs = require("fs");
const path = require("path");
const Module = require("module");

const [modules, ...files] = process.argv.slice(2);
const read = require(path.join(modules, "serverless/lib/configuration/read.js"));
const index = path.join(modules, "serverless-plugin-datadog/dist/src/index.js");
const { getConfig } = require(path.join(path.dirname(index), "env.js"));

const plugin = new Module(index, module);
plugin.filename = index;
plugin.paths = Module._nodeModulePaths(path.dirname(index));
plugin._compile(fs.readFileSync(index, "utf8") + "\nmodule.exports.validate = validateConfiguration;", index);

(async () => {
  for (const file of files) {
    try {
      const service = await read(file);
      const listed = Array.isArray(service.plugins) ? service.plugins : service.plugins.modules;
      if (!listed.includes("serverless-plugin-datadog")) throw new Error("the plugin is not listed");
      plugin.exports.validate(getConfig(service));
    } catch (error) {
      console.log(`${file}: ${error.message}`);
    }
  }
})();
