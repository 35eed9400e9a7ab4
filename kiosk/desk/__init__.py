"""What operators see and do: pages of facts, choices and fields, without a screen.

`Session` is the façade that every face uses; each page is one small module.
"""
