"""What each call does: from a ``Call`` to an ``Answer``, no network in sight."""
