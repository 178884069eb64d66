from libc.math cimport isfinite

from tapead.partials cimport value as ieee_value
from tapead.scalar cimport unary
