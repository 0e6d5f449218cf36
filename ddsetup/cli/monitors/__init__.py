"""`ddsetup monitors ...`"""
