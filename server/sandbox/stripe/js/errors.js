/** Misuse of the library: thrown or rejected, never returned as `{error}`. */
class IntegrationError extends Error {
  constructor(message) {
    super(message);
    this.name = "IntegrationError";
  }
}

/** What a buyer reads, by decline code, error code or error type, in that order of detail. */
const ERROR_TEXTS = {
  en: {
    card_declined: "Your card was declined.",
    insufficient_funds: "Your card has insufficient funds.",
    expired_card: "Your card has expired.",
    incorrect_cvc: "Your card's security code is incorrect.",
    incorrect_number: "Your card number is incorrect.",
    processing_error: "An error occurred while processing your card. Try again in a little bit.",
    card_velocity_exceeded: "You have made too many attempts with this card. Use another card.",
    payment_intent_authentication_failure:
      "We are unable to authenticate your payment method. " +
      "Please choose a different payment method and try again.",
    api_connection_error:
      "We could not reach the payment service. " +
      "Check your connection and look at your order before paying again.",
    api_error: "Something went wrong at the payment service. Please try again.",
  },
  ko: {
    card_declined: "카드가 거절되었습니다.",
    insufficient_funds: "카드의 잔액이 부족합니다.",
    expired_card: "카드의 유효 기간이 지났습니다.",
    incorrect_cvc: "카드의 보안 코드가 올바르지 않습니다.",
    incorrect_number: "카드 번호가 올바르지 않습니다.",
    processing_error: "카드를 처리하는 중 오류가 발생했습니다. 잠시 후 다시 시도해 주세요.",
    card_velocity_exceeded: "이 카드로 너무 여러 번 시도했습니다. 다른 카드를 사용해 주세요.",
    payment_intent_authentication_failure:
      "결제 수단을 인증할 수 없습니다. 다른 결제 수단을 선택해 다시 시도해 주세요.",
    api_connection_error:
      "결제 서비스에 연결하지 못했습니다. 연결을 확인하고, 다시 결제하기 전에 주문 상태를 확인해 주세요.",
    api_error: "결제 서비스에 문제가 생겼습니다. 다시 시도해 주세요.",
  },
  ja: {
    card_declined: "カードが拒否されました。",
    insufficient_funds: "カードの残高が不足しています。",
    expired_card: "カードの有効期限が切れています。",
    incorrect_cvc: "カードのセキュリティコードが正しくありません。",
    incorrect_number: "カード番号が正しくありません。",
    processing_error: "カードの処理中にエラーが発生しました。しばらくしてからもう一度お試しください。",
    card_velocity_exceeded: "このカードでの試行回数が多すぎます。別のカードをご利用ください。",
    payment_intent_authentication_failure:
      "支払い方法を認証できませんでした。別の支払い方法を選んでもう一度お試しください。",
    api_connection_error:
      "決済サービスに接続できませんでした。接続を確認し、再度支払う前に注文の状態をご確認ください。",
    api_error: "決済サービスで問題が発生しました。もう一度お試しください。",
  },
};

/** The language of the first stated locale that is not "auto"; the browser's own otherwise. */
function resolveLocale(...stated) {
  const tag = stated.find((locale) => locale && locale !== "auto") ?? navigator.language;
  const language = tag.slice(0, 2).toLowerCase();
  return language in ERROR_TEXTS ? language : "en";
}

/** `error` with a message that a buyer can read in `locale`; what nobody translated stays as it came. */
function localize(error, locale) {
  const texts = ERROR_TEXTS[locale];
  const general = error.type === "card_error" ? texts.card_declined : texts[error.type];
  const message = texts[error.decline_code] ?? texts[error.code] ?? general ?? error.message;
  return { ...error, message };
}
