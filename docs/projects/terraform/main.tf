resource "aws_lambda_function" "checkout" {
  function_name = "checkout"
  role          = aws_iam_role.checkout.arn
  filename      = "checkout.zip"
  runtime       = "python3.12"
  handler       = "app.handler"
  architectures = ["arm64"]
  layers = [
    aws_lambda_layer_version.deps.arn, # ours
  ]
}

module "menu" {
  source        = "terraform-aws-modules/lambda/aws"
  function_name = "menu"
  runtime       = "nodejs22.x"
  handler       = "index.handler"
}

resource "aws_lambda_function" "report" {
  function_name = "report"
  package_type  = "Image"
  image_uri     = var.image
  role          = aws_iam_role.report.arn
}
