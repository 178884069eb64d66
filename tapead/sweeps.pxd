from libc.stdlib cimport calloc, free

from tapead.partials cimport first
from tapead.places cimport Place, Record
from tapead.sweeps_arrays cimport Buffers, reverse_record
from tapead.tape cimport BITS, MASK, ROWS, Chunk, Tape, operand
