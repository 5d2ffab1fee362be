"""What can go wrong with an exchange."""


class ExchangeFault(Exception):
    """The exchange could not be reached, refused us, or fell silent. The text is fit for the administrator and tells no secret."""
