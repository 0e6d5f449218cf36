"""`ddsetup dashboards ...`"""
