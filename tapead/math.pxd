from tapead.scalar cimport unary
