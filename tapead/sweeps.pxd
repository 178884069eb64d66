from libc.stdlib cimport calloc, free

from tapead.partials cimport first
from tapead.tape cimport BITS, MASK, ROWS, Chunk, Tape
