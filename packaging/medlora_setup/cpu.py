"""Which instructions the processor has, as the C library's loader asked it: it says the same where /proc is not.

/proc/cpuinfo shows the host's processor under an emulator, and is absent in a bare chroot.
"""

import ctypes

# Feature: leaf by glibc's number (sys/platform/x86.h), register, bit (Intel SDM, volume 2, CPUID).
FEATURES = {
    "CMPXCHG16B": (0, "ecx", 13),
    "LAHF-SAHF": (2, "ecx", 0),
    "POPCNT": (0, "ecx", 23),
    "SSE3": (0, "ecx", 0),
    "SSE4.1": (0, "ecx", 19),
    "SSE4.2": (0, "ecx", 20),
    "SSSE3": (0, "ecx", 9),
}
LEVELS = {"x86-64-v2": frozenset(FEATURES)}  # x86-64 psABI, table 3.1: what is needed beyond the first level


class _Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("eax", "ebx", "ecx", "edx")]


class _Leaf(ctypes.Structure):
    _fields_ = [("present", _Registers), ("active", _Registers)]


def features() -> frozenset[str] | None:
    """Those of `FEATURES` that the processor has; None where the C library cannot tell (glibc before 2.33, musl)."""
    try:
        ask = ctypes.CDLL(None)["__x86_get_cpuid_feature_leaf"]
    except (AttributeError, OSError):
        return None
    ask.restype, ask.argtypes = ctypes.POINTER(_Leaf), (ctypes.c_uint,)
    return frozenset(
        name
        for name, (leaf, register, bit) in FEATURES.items()
        if getattr(ask(leaf).contents.present, register) >> bit & 1
    )
