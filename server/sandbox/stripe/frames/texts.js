// What stands in the frames, in the languages that the stand-in knows.

export const CARD_TEXTS = {
  en: {
    number: "Card number",
    expiry: "Expiration date",
    cvc: "Security code",
    country: "Country",
    postalCode: "ZIP or postal code",
    card: "Card",
    leaves: "After you press pay, you go to another site to complete the payment.",
    incomplete_number: "Your card number is incomplete.",
    invalid_number: "Your card number is invalid.",
    incomplete_expiry: "Your card's expiration date is incomplete.",
    invalid_expiry_month: "Your card's expiration month is invalid.",
    invalid_expiry_year: "Your card's expiration year is invalid.",
    invalid_expiry_month_past: "Your card's expiration date is in the past.",
    invalid_expiry_year_past: "Your card's expiration year is in the past.",
    incomplete_cvc: "Your card's security code is incomplete.",
    incomplete_zip: "Your postal code is incomplete.",
  },
  ko: {
    number: "카드 번호",
    expiry: "유효 기간",
    cvc: "보안 코드",
    country: "국가",
    postalCode: "우편번호",
    card: "카드",
    leaves: "결제를 누르면 다른 사이트로 이동해 결제를 마칩니다.",
    incomplete_number: "카드 번호를 끝까지 입력해 주세요.",
    invalid_number: "카드 번호가 올바르지 않습니다.",
    incomplete_expiry: "카드의 유효 기간을 끝까지 입력해 주세요.",
    invalid_expiry_month: "카드의 유효 기간(월)이 올바르지 않습니다.",
    invalid_expiry_year: "카드의 유효 기간(연도)이 올바르지 않습니다.",
    invalid_expiry_month_past: "카드의 유효 기간이 지났습니다.",
    invalid_expiry_year_past: "카드의 유효 기간(연도)이 지났습니다.",
    incomplete_cvc: "카드의 보안 코드를 끝까지 입력해 주세요.",
    incomplete_zip: "우편번호를 끝까지 입력해 주세요.",
  },
  ja: {
    number: "カード番号",
    expiry: "有効期限",
    cvc: "セキュリティコード",
    country: "国",
    postalCode: "郵便番号",
    card: "カード",
    leaves: "支払うを押すと、別のサイトに移動して支払いを完了します。",
    incomplete_number: "カード番号が最後まで入力されていません。",
    invalid_number: "カード番号が正しくありません。",
    incomplete_expiry: "有効期限が最後まで入力されていません。",
    invalid_expiry_month: "有効期限の月が正しくありません。",
    invalid_expiry_year: "有効期限の年が正しくありません。",
    invalid_expiry_month_past: "カードの有効期限が過ぎています。",
    invalid_expiry_year_past: "有効期限の年が過ぎています。",
    incomplete_cvc: "セキュリティコードが最後まで入力されていません。",
    incomplete_zip: "郵便番号が最後まで入力されていません。",
  },
};

export const CHALLENGE_TEXTS = {
  en: {
    title: "Confirm your payment",
    bank: "Test bank",
    text:
      "This page stands in for your bank's 3-D Secure check. " +
      "Complete it to let the payment go on, or fail it to see a refusal.",
    amount: "Amount",
    complete: "Complete",
    fail: "Fail",
    close: "Cancel and go back",
    trouble: "The bank could not be reached. Try again.",
  },
  ko: {
    title: "결제를 확인해 주세요",
    bank: "테스트 은행",
    text:
      "카드사의 3-D Secure 인증을 대신하는 페이지예요. " +
      "‘인증 완료’를 누르면 결제가 이어지고, ‘인증 실패’를 누르면 거절돼요.",
    amount: "금액",
    complete: "인증 완료",
    fail: "인증 실패",
    close: "취소하고 돌아가기",
    trouble: "은행에 연결하지 못했어요. 다시 시도해 주세요.",
  },
  ja: {
    title: "お支払いの確認",
    bank: "テスト銀行",
    text:
      "カード会社の 3-D セキュア認証の代わりとなるページです。" +
      "「認証する」で支払いが続き、「失敗させる」で拒否されます。",
    amount: "金額",
    complete: "認証する",
    fail: "失敗させる",
    close: "キャンセルして戻る",
    trouble: "銀行に接続できませんでした。もう一度お試しください。",
  },
};
