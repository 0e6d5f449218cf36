"""`ddsetup code ...`"""
