"""`ddsetup explore ...`"""
