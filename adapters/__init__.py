"""The formats of other systems, each translated to xAPI statements and answered out of them."""
