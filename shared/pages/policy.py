"""What a page may do in a browser: nothing from elsewhere, nothing inline, in no frame. Pure."""


def page_headers(*, scripts: bool = False, forms: bool = False, fetches: bool = False) -> dict[str, str]:
    """`scripts`: files of ours may run; `forms`: they may be sent to us; `fetches`: scripts may ask us.

    The address of a page is told to nobody.
    """
    policy = (
        "default-src 'none'",
        *(("script-src 'self'",) if scripts else ()),
        *(("connect-src 'self'",) if fetches else ()),
        "style-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'" if forms else "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
