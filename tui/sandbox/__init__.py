"""An embedded service that speaks the vendor's real protocol over loopback, with real signatures and real state.

It imports nothing of `tui.services`: a fault of the client must not be repeated here, where it would be hidden.
"""
