FROM public.ecr.aws/lambda/python:3.12 AS base
RUN pip install x \
 && true
COPY <<EOF /a
CMD ["x"]
EOF
CMD ["app.handler"]
