"""Byte counts as people read them."""

MIB = 1 << 20
GIB = 1 << 30


def size_text(count: int) -> str:
    """`count` bytes with a binary unit: "3.9 GiB", "512.0 MiB", "448 bytes"."""
    if count >= GIB:
        return f"{count / GIB:.1f} GiB"
    if count >= MIB:
        return f"{count / MIB:.1f} MiB"
    if count >= 1 << 10:
        return f"{count / (1 << 10):.0f} KiB"
    return f"{count} bytes"
