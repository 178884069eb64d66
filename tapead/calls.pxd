from tapead.array cimport binary, unary
