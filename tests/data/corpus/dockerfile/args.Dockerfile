ARG A=x
FROM ${A}
CMD [1, null, "]
