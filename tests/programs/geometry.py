"""Geometry with classes: vectors, quaternions, shapes, ray casting."""

import functools
import math
from dataclasses import dataclass
from math import acos, cos, sin
from typing import NamedTuple


class Vec:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z=0.0):
        self.x, self.y, self.z = float(x), float(y), float(z)

    def __iter__(self):
        yield self.x
        yield self.y
        yield self.z

    def __add__(self, other):
        return Vec(*(a + b for a, b in zip(self, other)))

    def __sub__(self, other):
        return Vec(*(a - b for a, b in zip(self, other)))

    def __mul__(self, other):
        if isinstance(other, Vec):
            return sum(a * b for a, b in zip(self, other))
        if isinstance(other, (int, float)):
            return Vec(*(a * other for a in self))
        return NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, scale):
        return self * (1 / scale)

    def __matmul__(self, other):
        return Vec(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def __neg__(self):
        return -1 * self

    def __abs__(self):
        return math.hypot(*self)

    def __repr__(self):
        return f"Vec({self.x:.3g}, {self.y:.3g}, {self.z:.3g})"


class Quaternion(NamedTuple):
    w: float
    x: float
    y: float
    z: float

    @classmethod
    def about(cls, axis, angle):
        unit = axis / abs(axis)
        s = sin(angle / 2)
        return cls(cos(angle / 2), *(s * unit))

    def times(self, o):
        return Quaternion(
            self.w * o.w - self.x * o.x - self.y * o.y - self.z * o.z,
            self.w * o.x + self.x * o.w + self.y * o.z - self.z * o.y,
            self.w * o.y - self.x * o.z + self.y * o.w + self.z * o.x,
            self.w * o.z + self.x * o.y - self.y * o.x + self.z * o.w,
        )

    def rotate(self, v):
        conjugate = Quaternion(self.w, -self.x, -self.y, -self.z)
        r = self.times(Quaternion(0.0, *v)).times(conjugate)
        return Vec(r.x, r.y, r.z)


@dataclass(frozen=True)
class Circle:
    x: float
    y: float
    radius: float

    @functools.cached_property
    def area(self):
        return math.pi * self.radius**2

    def overlap(self, other):
        d = math.hypot(self.x - other.x, self.y - other.y)
        r, s = self.radius, other.radius
        if d >= r + s:
            return 0.0
        if d <= abs(r - s):
            return min(self.area, other.area)
        a = r**2 * acos((d**2 + r**2 - s**2) / (2 * d * r))
        b = s**2 * acos((d**2 + s**2 - r**2) / (2 * d * s))
        c = (-d + r + s) * (d + r - s) * (d - r + s) * (d + r + s)
        return a + b - math.sqrt(c) / 2


class Shape:
    @staticmethod
    def scale(v, k=2):
        return k * v

    def describe(self):
        return "%s of area %.2f" % (type(self).__name__, self.area())


class Polygon(Shape):
    def __init__(self, *corners):
        self.corners = corners

    def area(self):
        pairs = zip(self.corners, self.corners[1:] + self.corners[:1])
        return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2

    def perimeter(self):
        return sum(
            math.dist(p, q) for p, q in zip(self.corners, self.corners[1:] + self.corners[:1])
        )


class Ellipse(Shape):
    def __init__(self, a, b):
        self.a, self.b = max(a, b), min(a, b)

    def area(self):
        return math.pi * self.a * self.b

    def perimeter(self):
        """By the arithmetic-geometric mean."""
        x, y, total, power = self.a, self.b, 0.0, 0.5
        total = (self.a**2 + self.b**2) / 2
        while abs(x - y) > 1e-15 * x:
            x, y, gap = (x + y) / 2, math.sqrt(x * y), (x - y) / 2
            total -= power * gap**2
            power *= 2
        return 2 * math.pi * total / x


def triangle_angle(a, b, c):
    p, q = Vec(*b) - Vec(*a), Vec(*c) - Vec(*a)
    return math.degrees(math.acos(p * q / (abs(p) * abs(q))))


def torque(position, force, pivot):
    return abs((Vec(*position) - Vec(*pivot)) @ Vec(*force))


def rotated(axis, angle, point):
    v = Quaternion.about(Vec(*axis), angle).rotate(Vec(*point))
    return 2 * v.x - v.y / 3 + 0.5 * v.z


def overlap(one, two):
    return one.overlap(two) / one.area


def shapes(a, b, c):
    total = 0.0
    for shape in (Polygon((0.0, 0.0), (a, 0.1), (a, b), (0.2, c)), Ellipse(a, b)):
        shape.describe()
        total += shape.area() / shape.perimeter()
    return Shape.scale(total)


def ray(origin, direction, spheres):
    """Brightness where a ray first hits one of some spheres."""
    o = Vec(*origin)
    d = Vec(*direction) / abs(Vec(*direction))
    best, normal = float("inf"), None
    for x, y, z, r in spheres:
        to = Vec(x, y, z) - o
        along = to * d
        gap = r * r - (to * to - along * along)
        if gap < 0:
            continue
        t = along - math.sqrt(gap)
        if 1e-9 < t < best:
            best = t
            normal = (o + t * d - Vec(x, y, z)) / r
    if normal is None:
        return 0.0
    light = Vec(1, 2, -1) / abs(Vec(1, 2, -1))
    return 0.1 + max(normal * light, 0.0) + math.exp(-best)


def bezier(*points):
    """Length of a curve, by de Casteljau and chords."""

    def at(ps, t):
        if len(ps) == 1:
            return ps[0]
        return at([(1 - t) * p + t * q for p, q in zip(ps, ps[1:])], t)

    curve = [at([Vec(*p) for p in points], i / 8) for i in range(9)]
    return sum(abs(q - p) for p, q in zip(curve, curve[1:]))


def great_circle(lat1, lon1, lat2, lon2):
    p, q, dlon = map(math.radians, (lat1, lat2, lon2 - lon1))
    h = sin((q - p) / 2) ** 2 + cos(p) * cos(q) * sin(dlon / 2) ** 2
    return 6371.0 * 2 * math.asin(math.sqrt(h))


CASES = [
    ("angle of a triangle", triangle_angle, ([0.1, 0.2], [1.3, 0.4], [0.5, 1.9])),
    ("torque", torque, ([1.0, 0.5, 0.2], [3.0, -1.0, 2.0], [0.1, 0.0, -0.3])),
    ("rotation by a quaternion", rotated, ([1.0, 2.0, 0.5], 0.8, [0.3, -0.7, 1.1])),
    ("circles that overlap", overlap, (Circle(0.0, 0.1, 1.0), Circle(0.9, 0.5, 0.7))),
    ("circle inside a circle", overlap, (Circle(0.0, 0.1, 1.0), Circle(0.1, 0.2, 0.3))),
    ("shapes", shapes, (2.0, 1.2, 1.5)),
    (
        "ray and spheres",
        ray,
        ([0.0, 0.1, -5.0], [0.05, 0.0, 1.0], [[0.2, 0.0, 0.0, 1.0], [0.0, 0.5, 4.0, 1.0]]),
    ),
    ("Bezier curve", bezier, ([0.0, 0.0], [1.0, 2.0], [3.0, -1.0], [4.0, 0.5])),
    ("great circle", great_circle, (52.5, 13.4, 40.7, -74.0)),
]
