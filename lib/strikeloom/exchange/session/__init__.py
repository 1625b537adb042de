"""The trading session: order intake, matching as time passes, expiry, triggers."""
