resource "aws_lambda_function" "f" {
  function_name = "f-${var.stage}"
  environment {
    variables = { A = "b", C = jsonencode({d = 1}) }
  }
}
