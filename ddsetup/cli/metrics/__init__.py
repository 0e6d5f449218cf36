"""`ddsetup metrics ...`"""
