"""The player's error codes, with what a viewer reads (Korean, English)."""

_TEXTS: dict[int, tuple[str, str]] = {
    4001: ("영상 정보가 올바르지 않아요.", "The video reference is not valid."),
    4004: ("사용자 키가 올바르지 않아요.", "The custom key is not valid."),
    4007: ("재생 정보를 확인할 수 없어요.", "The play token is not valid."),
    4012: ("영상을 찾을 수 없어요.", "There is no such video."),
    4020: ("본편이 없어요.", "The playlist has an intro only."),
    4025: ("채널이 중지되어 있어요.", "The channel is suspended."),
    4031: ("허용되지 않은 주소에서 열었어요.", "This site may not show the video."),
    4081: ("공개된 영상이 아니에요.", "This video is not public."),
    4082: ("사용자 키가 일치하지 않아요.", "The custom key does not match."),
    4083: ("잘못된 요청이에요.", "The request is not complete."),
    4085: ("재생 주소의 유효 시간이 지났어요.", "The play address has expired."),
    7000: ("시청 기간이 끝났어요.", "The viewing period is over."),
    8464: (
        "등록할 수 있는 기기 수를 넘었어요.",
        "You already watch on as many devices as allowed.",
    ),
    8479: ("다른 기기에서 재생을 시작했어요.", "The video is being played on another device now."),
    8670: ("재생 승인을 받지 못했어요.", "The site did not answer the play callback."),
    8671: ("재생 승인을 확인할 수 없어요.", "The answer to the play callback cannot be verified."),
    8672: ("재생 승인을 읽을 수 없어요.", "The answer to the play callback cannot be read."),
    8673: ("이 영상을 볼 수 없어요.", "The site does not allow this video to be played."),
    8674: ("시청 권한이 만료되었어요.", "The right to watch has expired."),
    8675: ("이 영상을 볼 수 없어요.", "The site does not allow this video to be played now."),
    8686: ("시청 가능 시간을 모두 썼어요.", "The allowed watching time is used up."),
    8900: ("영상을 불러올 수 없어요.", "The video cannot be loaded."),
}


class PlayerError(Exception):
    """Playback ends with `code`. `detail` tells the developer why; `message` is what the site says."""

    def __init__(self, code: int, detail: str, message: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.message = message

    def as_json(self, language: str) -> dict[str, object]:
        return {
            "code": self.code,
            "message": self.message or text(self.code, language),
            "detail": self.detail,
        }


def text(code: int, language: str) -> str:
    """What the viewer reads for `code` when the site sent no message of its own."""
    korean, english = _TEXTS[code]
    return korean if language == "ko" else english


def texts(codes: tuple[int, ...], language: str) -> dict[int, str]:
    """The messages of several codes, for the page that finds these errors itself."""
    return {code: text(code, language) for code in codes}
