cdef double sign(double a) noexcept
cdef double floordiv(double a, double b) noexcept
cdef double mod(double a, double b) noexcept
cdef double round_to(double a, double digits) noexcept
cdef double ldexp(double a, double b) noexcept
cdef double ulp(double a) noexcept
cdef double hypot(double a, double b) noexcept
cdef double gamma(double a) noexcept
cdef double lgamma(double a) noexcept
cdef double polygamma(double order, double x) noexcept
