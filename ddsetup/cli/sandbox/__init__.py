"""`ddsetup sandbox ...`"""
