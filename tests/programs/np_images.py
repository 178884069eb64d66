"""Small pictures, large loops."""

import numpy as np
from numpy import array, exp, zeros

rng = np.random.default_rng(11)
PICTURE = 0.1 + 0.02 * rng.permutation(42).reshape(6, 7)
SMALL = PICTURE[:4, :5].copy()


def filter2d(image, kernel):
    """Correlation by four loops; the border stays black."""
    out = np.zeros_like(image)
    h, w = image.shape
    kh, kw = kernel.shape
    for i in range(kh // 2, h - kh // 2):
        for j in range(kw // 2, w - kw // 2):
            acc = 0
            for di in range(kh):
                for dj in range(kw):
                    acc += kernel[di, dj] * image[i + di - kh // 2, j + dj - kw // 2]
            out[i, j] = acc
    return np.sum(out**2)


def sobel(image):
    p = np.pad(image, 1, mode="edge")
    gx = (p[:-2, 2:] + 2 * p[1:-1, 2:] + p[2:, 2:]) - (p[:-2, :-2] + 2 * p[1:-1, :-2] + p[2:, :-2])
    gy = (p[2:, :-2] + 2 * p[2:, 1:-1] + p[2:, 2:]) - (p[:-2, :-2] + 2 * p[:-2, 1:-1] + p[:-2, 2:])
    return np.hypot(gx, gy).mean()


def bilinear(img, x, y):
    """One value between the pixels."""
    if not (0 <= x <= img.shape[1] - 1 and 0 <= y <= img.shape[0] - 1):
        raise IndexError("outside of the image")
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    x1, y1 = min(x0 + 1, img.shape[1] - 1), min(y0 + 1, img.shape[0] - 1)
    fx, fy = x - x0, y - y0
    return (
        img[y0, x0] * (1 - fx) * (1 - fy)
        + img[y0, x1] * fx * (1 - fy)
        + img[y1, x0] * (1 - fx) * fy
        + img[y1, x1] * fx * fy
    )


def rotated(image, angle):
    """Brightness in the middle after turning, sampled between pixels all at once."""
    h, w = image.shape
    yy, xx = np.mgrid[1 : h - 1, 1 : w - 1]
    cx, cy = (w - 1) / 2, (h - 1) / 2
    xs = np.cos(angle) * (xx - cx) - np.sin(angle) * (yy - cy) + cx
    ys = np.sin(angle) * (xx - cx) + np.cos(angle) * (yy - cy) + cy
    x0 = np.clip(np.floor(xs).astype(int), 0, w - 2)
    y0 = np.clip(np.floor(ys).astype(int), 0, h - 2)
    fx, fy = xs - x0, ys - y0
    top = image[y0, x0] * (1 - fx) + image[y0, x0 + 1] * fx
    bottom = image[y0 + 1, x0] * (1 - fx) + image[y0 + 1, x0 + 1] * fx
    return np.var(top * (1 - fy) + bottom * fy)


def total_variation(u, f, weight):
    """Rudin-Osher-Fatemi energy, rounded off a little."""
    dx = np.diff(u, axis=1)[:-1, :]
    dy = np.diff(u, axis=0)[:, :-1]
    return np.sqrt(dx**2 + dy**2 + 1e-2).sum() + 0.5 * weight * ((u - f) ** 2).sum()


def gaussian_blur(image, sigma):
    radius = 2
    x = np.arange(-radius, radius + 1)
    k = np.exp(-0.5 * (x / sigma) ** 2)
    k /= k.sum()
    rows = np.apply_along_axis(lambda r: np.convolve(r, k, mode="same"), 1, image)
    both = np.apply_along_axis(lambda c: np.convolve(c, k, mode="same"), 0, rows)
    return both[2, 3] + both.std()


def bilateral(image, sigma_space, sigma_value):
    rows, cols = image.shape
    result = np.empty(image.shape)
    for r in range(rows):
        for c in range(cols):
            patch = image[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2]
            rr, cc = np.indices(patch.shape)
            rr = rr + max(r - 1, 0) - r
            cc = cc + max(c - 1, 0) - c
            w = np.exp(-(rr**2 + cc**2) / (2 * sigma_space**2))
            w *= np.exp(-((patch - image[r, c]) ** 2) / (2 * sigma_value**2))
            result[r, c] = (w * patch).sum() / w.sum()
    return np.abs(result - image).sum()


def median_filter(image):
    out = image.copy()
    for i in range(1, image.shape[0] - 1):
        for j in range(1, image.shape[1] - 1):
            window = image[i - 1 : i + 2, j - 1 : j + 2].flatten()
            window.sort()
            out[i, j] = window[len(window) // 2]
    return np.sum(out * np.arange(out.size).reshape(out.shape)) / out.size


def max_pool(image, gain):
    h, w = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    blocks = image[:h, :w].reshape(h // 2, 2, w // 2, 2)
    pooled = blocks.max(axis=(1, 3))
    return np.tanh(gain * pooled).sum()


def gamma_correct(image, gamma, low, high):
    """Stretches, clips and bends the grey values of its argument, in place."""
    image -= low
    image /= high - low
    image[image < 0] = 0.0
    image[image > 1] = 1.0
    np.power(image, gamma, out=image)
    return image.mean()


def soft_histogram(image, width):
    """Entropy of a histogram whose bins overlap."""
    bins = np.linspace(0, 1, 6)
    membership = np.exp(-0.5 * ((image.ravel()[:, None] - bins[None, :]) / width) ** 2)
    p = membership.sum(axis=0)
    p = p / p.sum()
    return -np.sum(p * np.log(p))


def ssim(a, b):
    """Structural similarity, one window for the whole picture."""
    mu_a, mu_b = a.mean(), b.mean()
    cov = ((a - mu_a) * (b - mu_b)).mean()
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * mu_a * mu_b + c1) * (2 * cov + c2)) / (
        (mu_a**2 + mu_b**2 + c1) * (a.var() + b.var() + c2)
    )


def optical_flow(frame, shift):
    """Lucas-Kanade for one patch; the second frame is the first, brighter and moved."""
    moved = (1 - shift) * frame + shift * np.roll(frame, 1, axis=1)
    Ix = (frame[1:-1, 2:] - frame[1:-1, :-2]) / 2
    Iy = (frame[2:, 1:-1] - frame[:-2, 1:-1]) / 2
    It = (moved - frame)[1:-1, 1:-1]
    S = array([[np.sum(Ix * Ix), np.sum(Ix * Iy)], [np.sum(Ix * Iy), np.sum(Iy * Iy)]])
    t = array([np.sum(Ix * It), np.sum(Iy * It)])
    u, v = -np.linalg.inv(S).dot(t)
    return u + 0.5 * v


def splat(centers, brightness, blur):
    """Stars on a dark sky."""
    sky = zeros((8, 8))
    for (cx, cy), b in zip(centers, brightness):
        for i in range(8):
            for j in range(8):
                d2 = (i - cy) ** 2 + (j - cx) ** 2
                if d2 > 30:
                    continue
                sky[i, j] += b * exp(-d2 / (2 * blur**2))
    return (sky * sky).sum() - sky[3, 4]


def integral_image(image, weights):
    """Box sums out of a table of cumulative sums."""
    table = np.zeros((image.shape[0] + 1, image.shape[1] + 1))
    table[1:, 1:] = image.cumsum(axis=0).cumsum(axis=1)
    boxes = [(0, 0, 3, 3), (1, 2, 4, 6), (2, 1, 6, 4)]
    total = 0.0
    for (top, left, bottom, right), weight in zip(boxes, weights):
        box = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
        total += weight * box**2
    return total


def luminance(rgb):
    """From sRGB, with its straight piece near black."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    y = np.tensordot(linear, np.array([0.2126, 0.7152, 0.0722]), axes=([-1], [0]))
    return y.prod() ** (1 / y.size)


CASES = [
    (
        "filter by loops",
        filter2d,
        (PICTURE, np.array([[0.1, 0.2, 0.1], [0.2, 0.9, -0.3], [0.0, -0.1, 0.4]])),
    ),
    ("Sobel", sobel, (PICTURE,)),
    ("bilinear", bilinear, (SMALL, 2.3, 1.6)),
    ("rotation", rotated, (PICTURE, 0.21)),
    ("total variation", total_variation, (SMALL, SMALL[::-1] ** 2, 3.0)),
    ("Gaussian blur", gaussian_blur, (PICTURE, 0.9)),
    ("bilateral filter", bilateral, (SMALL, 1.1, 0.2)),
    ("median filter", median_filter, (PICTURE,)),
    ("max pooling", max_pool, (PICTURE, 1.7)),
    ("gamma", gamma_correct, (PICTURE.copy(), 1.8, 0.15, 0.81)),
    ("soft histogram", soft_histogram, (PICTURE, 0.15)),
    ("structural similarity", ssim, (SMALL, np.sqrt(SMALL))),
    ("optical flow", optical_flow, (PICTURE, 0.3)),
    ("stars", splat, (np.array([[2.2, 3.1], [4.8, 4.3]]), np.array([1.0, 0.6]), 1.3)),
    ("integral image", integral_image, (PICTURE, np.array([0.5, 1.0, -0.3]))),
    (
        "luminance",
        luminance,
        (np.array([[[0.2, 0.5, 0.7], [0.02, 0.9, 0.3]], [[0.6, 0.03, 0.1], [0.8, 0.75, 0.01]]]),),
    ),
]
