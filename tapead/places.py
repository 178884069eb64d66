# cython: language_level=3, boundscheck=False, initializedcheck=False
"""Places and records: what array operations leave on the tape.

A `Place` says where the adjoint of an array lies.  The memory that one array owns is a *storage*;
its place is a root.  A view's place is a shape, strides and an offset within its root.  Adjoints
of storages are buffers laid out as the storage is, so that views of an array and views of its
adjoint alias in the same way, and a write is undone where it was done.

A `Record` is one operation on arrays: its rule, the places of its operands and its result, and the
values that its derivative needs.
"""

from __future__ import annotations

import cython
import numpy as np

from tapead import kernels
from tapead.rules.table import mask_of

if cython.compiled:
    cnp.import_array()


@cython.final
@cython.no_gc
@cython.freelist(1024)
@cython.cclass
class Place:
    """A storage (`root` is None) or a view of one; it holds no values.

    number : of the storage in its recording, -1 while nothing in it has a derivative
    epoch : of the recording that gave the number
    address : where the storage begins in memory; for a view, how many bytes after that it begins
    strides : in bytes; None for arrays in C order
    keeper, keepers : the values that records keep of this storage, as ``1024 * record + operand``,
        in the recording `kept_epoch`: the first, and a list of any others
    written : the row of the last write into this storage, -1 if there was none
    stretched : 1 if the view has elements at several places, as np.broadcast_to makes them, 2 if
        parts of it overlap, as in sliding windows; 0 for almost all
    negated : whether its adjoint is minus what lies there: the imaginary part's of a complex one
    shared : 1 if the program may know this memory by names of its own, as a plain array; 2 if that
        is locked; 0 if not
    tangent : in forward mode, the tangent of an active storage, laid out as that is
    """

    if not cython.compiled:
        __slots__ = (
            "address", "dtype", "epoch", "keeper", "keepers", "kept_epoch", "negated", "number",
            "root", "shape", "shared", "stretched", "strides", "tangent", "written",
        )  # fmt: skip

    def __init__(self, root, shape, strides, dtype, address):
        self.root = root
        self.shape = shape
        self.strides = strides
        self.dtype = dtype
        self.address = address
        self.number = -1
        self.written = -1
        self.shared = 0
        self.stretched = 0
        self.negated = False
        self.epoch = self.kept_epoch = 0
        self.keepers = self.tangent = None

    # With these a place stands, in rules, for an operand whose values nobody needs.

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        count = 1
        for n in self.shape:
            count *= n
        return count


def root_of(place):
    """The storage that a place lies in."""
    p: Place = place
    return p if p.root is None else p.root


@cython.cfunc
def new_root(data: object) -> Place:
    """The place of an array that owns its memory, or shares it with nobody who writes."""
    p: Place = Place.__new__(Place)
    p.number = -1
    p.written = -1
    if cython.compiled:
        p.shape = cnp.PyArray_IntTupleFromIntp(cnp.PyArray_NDIM(data), cnp.PyArray_DIMS(data))
        p.dtype = cython.cast(object, cnp.PyArray_DESCR(data))
        p.address = cython.cast(cython.Py_ssize_t, cnp.PyArray_DATA(data))
        if not cnp.PyArray_IS_C_CONTIGUOUS(data):
            p.strides = data.strides
    else:
        p.shape = data.shape
        p.dtype = data.dtype
        p.root = p.strides = p.keepers = p.tangent = None
        p.epoch = p.kept_epoch = 0
        p.shared = 0
        p.stretched = 0
        p.negated = False
        p.address = address_of(data)
        if not data.flags.c_contiguous:
            p.strides = data.strides
    return p


def address_of(data):
    """Where an array's first element lies in memory."""
    if cython.compiled:
        return cython.cast(cython.Py_ssize_t, cnp.PyArray_DATA(data))
    return data.__array_interface__["data"][0]


@cython.cfunc
def new_view(place: Place, data: object) -> Place:
    """The place of `data`, a view of an array at `place` or of its storage."""
    root: Place = place if place.root is None else place.root
    p: Place = Place.__new__(Place)
    p.root = root
    p.number = -1
    p.written = -1
    # The dtype is that of the storage, or its real part's.
    if cython.compiled:
        nd: cython.int = cnp.PyArray_NDIM(data)
        p.shape = cnp.PyArray_IntTupleFromIntp(nd, cnp.PyArray_DIMS(data))
        p.dtype = cython.cast(object, cnp.PyArray_DESCR(data))
        p.strides = cnp.PyArray_IntTupleFromIntp(nd, cnp.PyArray_STRIDES(data))
        p.address = cython.cast(cython.Py_ssize_t, cnp.PyArray_DATA(data)) - root.address
        if nd > 1 or (nd == 1 and cnp.PyArray_STRIDE(data, 0) == 0):
            p.stretched = overlap(data)
    else:
        p.shape = data.shape
        p.dtype = data.dtype
        p.strides = data.strides
        p.epoch = p.kept_epoch = 0
        p.keepers = p.tangent = None
        p.shared = 0
        p.address = address_of(data) - root.address
        p.stretched = overlap(data)
        p.negated = False
    if p.dtype is not root.dtype and root.dtype.kind == "c":
        p.negated = p.dtype.kind == "f" and p.address % root.dtype.itemsize != 0
    return p


@cython.cfunc
@cython.exceptval(-1, check=True)
def overlap(data: object) -> cython.int:
    """Whether a view has elements at several places: `Place.stretched`."""
    axes = [(abs(s), n) for s, n in zip(data.strides, data.shape, strict=True) if n > 1]
    if data.size == 0 or not axes:
        return 0
    axes.sort()
    reach = data.itemsize
    for stride, n in axes:
        if 0 < stride < reach:
            return 2
        reach += (n - 1) * stride
    return 1 if axes[0][0] == 0 else 0


def place_of_root(data):
    """`new_root` for callers in Python."""
    return new_root(data)


def place_of_view(place, data):
    """`new_view` for callers in Python."""
    return new_view(place, data)


def same_place(a, b):
    """Whether two places are the same elements in the same order."""
    p: Place = a
    q: Place = b
    if p is q:
        return True
    if p.root is None or q.root is None:
        return False
    return (
        p.root is q.root
        and p.address == q.address
        and p.shape == q.shape
        and p.strides == q.strides
    )


@cython.cfunc
def adjoint_buffer(root: Place) -> object:
    """Zeros laid out as a storage is."""
    if root.strides is None:
        return np.zeros(root.shape, root.dtype)
    count = 1
    for n in root.shape:
        count *= n
    return np.ndarray(root.shape, root.dtype, np.zeros(count, root.dtype), 0, root.strides)


def flat_memory(buffer):
    """A buffer's memory in one dimension, as real numbers if it is complex."""
    flat = buffer.ravel("K") if buffer.base is None or buffer.flags.forc else buffer.base
    return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat


def zeros_at(root):
    """`adjoint_buffer` for callers in Python."""
    return adjoint_buffer(root)


@cython.cfunc
def view_of(buffer: object, place: Place) -> object:
    """The part of a storage's adjoint that belongs to a view."""
    if place.root is None:
        return buffer
    if cython.compiled:
        return strided(buffer, place)
    if place.size == 0:
        return np.zeros(place.shape, place.dtype)
    whole = buffer
    while whole.base is not None:
        whole = whole.base
    return np.ndarray(place.shape, place.dtype, whole, place.address, place.strides)


if cython.compiled:

    @cython.cfunc
    def strided(buffer: object, place: Place) -> object:
        """A view of a buffer's memory with a place's shape and strides."""
        dims: cnp.npy_intp[64]
        steps: cnp.npy_intp[64]
        nd: cython.int = len(place.shape)
        k: cython.int
        for k in range(nd):
            dims[k] = place.shape[k]
            steps[k] = place.strides[k]
        data: cython.p_char = cython.cast(cython.p_char, cnp.PyArray_DATA(buffer))
        flags: cython.int = cnp.NPY_ARRAY_WRITEABLE | cnp.NPY_ARRAY_ALIGNED
        view = cnp.PyArray_New(
            np.ndarray,
            nd,
            dims,
            place.dtype.num,
            steps,
            cython.cast(cython.p_void, data + place.address),
            0,
            flags,
            None,
        )
        cnp.PyArray_UpdateFlags(view, cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_F_CONTIGUOUS)
        cnp.set_array_base(view, buffer)
        return view


def unstretched(term, place):
    """What is to be added to a view that has elements at several places, and where in it."""
    axes = tuple([k for k, s in enumerate(place.strides) if s == 0 and place.shape[k] > 1])
    where = tuple([slice(0, 1) if k in axes else slice(None) for k in range(place.ndim)])
    return np.sum(term, axis=axes, keepdims=True), where


def positions(place):
    """For each element of a view its position in the storage, counted in memory."""
    size = np.dtype(place.dtype).itemsize
    numbers = np.arange(place.root.size * place.root.dtype.itemsize // size)
    strides = [s // size * numbers.itemsize for s in place.strides]
    return np.ndarray(place.shape, int, numbers, place.address // size * numbers.itemsize, strides)


def view_at(buffer, place):
    """`view_of` for callers in Python."""
    return view_of(buffer, place)


@cython.final
@cython.no_gc
@cython.freelist(1024)
@cython.cclass
class Record:
    """One operation on arrays.

    rule : a row of the rule tables, or one of the engine's own operations
    ins : for each operand its `Place`, its row (a number of the scalar kind), or None if it has
        no derivative
    out : the `Place` of the result, the row of a scalar result, or a tuple of these
    kept : for each operand what its rule needs of it, and last the value of the result
    options : the operation's options, for its rule
    """

    if not cython.compiled:
        __slots__ = ("ins", "kept", "options", "out", "rule")

    def __init__(self, rule, ins, out, kept, options):
        self.rule = rule
        self.ins = ins
        self.out = out
        self.kept = kept
        self.options = options

    def keep(self, k, value):
        """Put another value in the place of the k-th that is kept."""
        kept = list(self.kept)
        kept[k] = value
        self.kept = tuple(kept)

    def take_in(self, ins):
        """Have other names for the operands."""
        self.ins = ins


def outs_of(record):
    """The results of an operation: places, rows, None for whole numbers."""
    return record.out if type(record.out) is tuple else (record.out,)


@cython.final
@cython.cclass
class Row:
    """An `Elementwise` row as operations and sweeps read it.

    needs : for each operand a mask of what its partial reads: bit k for operand k, VALUE for the
        value; of the first two operands also as `first` and `second`
    multiplies : whether the partials of a product are the other operand
    fused : for each operand the partial's number in `kernels.FUSED`, and what it reads, or None
    """

    if not cython.compiled:
        __slots__ = ("first", "fused", "multiplies", "needs", "partials", "second", "ufunc")

    def __init__(self, rule):
        self.ufunc = rule.ufunc
        self.partials = tuple(rule.partials)
        self.needs = tuple([mask_of(needed) for needed in rule.needs])
        self.first = self.needs[0]
        self.second = self.needs[1] if len(self.needs) > 1 else 0
        self.multiplies = rule.ufunc is np.multiply
        self.fused = kernels.FUSED.get(rule.ufunc)
