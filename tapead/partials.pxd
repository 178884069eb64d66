from libc.math cimport (
    acos, acosh, asin, asinh, atan, atan2, atanh, cbrt, ceil, copysign, cos, cosh, erf, erfc, exp,
    exp2, expm1, floor, fmod, log, log10, log1p, log2, nextafter, remainder, rint,
    sin, sinh, sqrt, tan, tanh, trunc,
)
from tapead.special cimport (
    floordiv, gamma, hypot, ldexp, lgamma, mod, polygamma, round_to, sign, ulp,
)

cdef extern from *:
    """
    #include <math.h>
    #define tapead_div(a, b) ((a) / (b))
    #define tapead_power(a, b) pow(a, b)
    """
    double div "tapead_div"(double a, double b) noexcept nogil
    double power "tapead_power"(double a, double b) noexcept nogil

cpdef double value(int code, double a, double b) noexcept
cpdef (double, double) first(int code, double a, double b, double v) noexcept
cpdef (double, double, double) second(int code, double a, double b, double v) noexcept
