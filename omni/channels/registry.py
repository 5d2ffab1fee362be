"""Which adapter serves which channel."""

from collections.abc import Mapping

from omni.channels.app_store.adapter import AppStoreAdapter
from omni.channels.appgallery.adapter import AppGalleryAdapter
from omni.channels.asterisk.adapter import AsteriskAdapter
from omni.channels.contract import Adapter
from omni.channels.email.adapter import EmailAdapter
from omni.channels.facebook.adapter import FacebookAdapter
from omni.channels.fcm.adapter import FcmAdapter
from omni.channels.google_play.adapter import GooglePlayAdapter
from omni.channels.hms.adapter import HmsAdapter
from omni.channels.inner.adapter import InnerAdapter
from omni.channels.mango.adapter import MangoAdapter
from omni.channels.max.adapter import MaxAdapter
from omni.channels.mobile.adapter import MobileAdapter
from omni.channels.ok.adapter import OkAdapter
from omni.channels.ozon.adapter import OzonAdapter
from omni.channels.reviews_import.adapter import ReviewsImportAdapter
from omni.channels.rss.adapter import RssAdapter
from omni.channels.smsaero.adapter import SmsAeroAdapter
from omni.channels.smsc.adapter import SmscAdapter
from omni.channels.telegram.adapter import TelegramAdapter
from omni.channels.uis.adapter import UisAdapter
from omni.channels.viber.adapter import ViberAdapter
from omni.channels.vk.adapter import VkAdapter
from omni.channels.voice.adapter import VoiceAdapter
from omni.channels.webchat.adapter import WebChatAdapter
from omni.channels.whatsapp.adapter import WhatsAppAdapter
from omni.channels.wildberries.adapter import WildberriesAdapter
from omni.channels.yandex_market.adapter import YandexMarketAdapter
from omni.channels.zadarma.adapter import ZadarmaAdapter

ADAPTERS: tuple[Adapter, ...] = (
    AppGalleryAdapter(),
    AppStoreAdapter(),
    AsteriskAdapter(),
    EmailAdapter(),
    FacebookAdapter(),
    FcmAdapter(),
    GooglePlayAdapter(),
    HmsAdapter(),
    InnerAdapter(),
    MangoAdapter(),
    MaxAdapter(),
    MobileAdapter(),
    OkAdapter(),
    OzonAdapter(),
    ReviewsImportAdapter(),
    RssAdapter(),
    SmsAeroAdapter(),
    SmscAdapter(),
    TelegramAdapter(),
    UisAdapter(),
    ViberAdapter(),
    VkAdapter(),
    VoiceAdapter(),
    WebChatAdapter(),
    WhatsAppAdapter(),
    WildberriesAdapter(),
    YandexMarketAdapter(),
    ZadarmaAdapter(),
)

_BY_KIND: Mapping[str, Adapter] = {adapter.kind: adapter for adapter in ADAPTERS}


def adapter_for(kind: str) -> Adapter:
    """The adapter of a channel, shared by all callers. Raises LookupError naming the channels there are."""
    try:
        return _BY_KIND[kind]
    except KeyError:
        raise LookupError(f"There is no channel {kind!r}; known are {', '.join(kinds())}.") from None


def kinds() -> list[str]:
    """The kinds of all channels, sorted."""
    return sorted(_BY_KIND)
