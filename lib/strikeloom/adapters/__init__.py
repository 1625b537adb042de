"""What stands behind the ports: files, stores, replays, brokers. No decisions here."""
