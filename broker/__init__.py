"""The broker: `chat` holds the rules, `store` keeps what must last, `wire` moves bytes, `app` joins them."""
