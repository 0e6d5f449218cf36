x = <<-EOF
  ${a ? "}" : "{"}
  EOF
y = [for k, v in z : "%{ if k }${v}%{ endif }"]
/* open