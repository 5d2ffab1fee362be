"""The product's settings with one address more: the empty view that every rate is compared with."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
