// How the keys of services begin, as the services publish it.

/// The beginning of a service's keys, and what follows it.
package struct APIKeyPrefix: Sendable {
    /// The beginning, to its last byte.
    package let text: StaticString
    /// How many bytes follow at least.
    package let least: Int
    /// Whether no letter or digit may stand before: the beginning also occurs inside words.
    package let isWord: Bool

    private init(_ text: StaticString, least: Int = 16, isWord: Bool = false) {
        self.text = text
        self.least = least
        self.isWord = isWord
    }

    /// The beginnings that end with `_`.
    static let underscored: [APIKeyPrefix] = [
        // Stripe: secret, restricted and webhook keys.
        APIKeyPrefix("sk_live_"), APIKeyPrefix("sk_test_"), APIKeyPrefix("rk_live_"), APIKeyPrefix("rk_test_"),
        APIKeyPrefix("whsec_"),
        // GitHub: personal, OAuth, user-to-server, server-to-server, refresh, fine-grained.
        APIKeyPrefix("ghp_"), APIKeyPrefix("gho_"), APIKeyPrefix("ghu_"), APIKeyPrefix("ghs_"), APIKeyPrefix("ghr_"),
        APIKeyPrefix("github_pat_"),
        // npm, Docker, DigitalOcean, Hugging Face, Shopify, Grafana, Linear, Groq.
        APIKeyPrefix("npm_", least: 36, isWord: true), APIKeyPrefix("dckr_pat_"), APIKeyPrefix("dop_v1_"),
        APIKeyPrefix("hf_", least: 30, isWord: true), APIKeyPrefix("shpat_"), APIKeyPrefix("shpss_"),
        APIKeyPrefix("glsa_"), APIKeyPrefix("lin_api_"), APIKeyPrefix("gsk_", least: 30, isWord: true),
    ]

    /// The beginnings that end with `-`.
    static let dashed: [APIKeyPrefix] = [
        // Slack: bot, user, app, refresh, legacy and session tokens, and those of apps.
        APIKeyPrefix("xoxb-", least: 10), APIKeyPrefix("xoxp-", least: 10), APIKeyPrefix("xoxa-", least: 10),
        APIKeyPrefix("xoxe-", least: 10), APIKeyPrefix("xoxr-", least: 10), APIKeyPrefix("xoxs-", least: 10),
        APIKeyPrefix("xoxc-", least: 10), APIKeyPrefix("xoxd-", least: 10), APIKeyPrefix("xoxo-", least: 10),
        APIKeyPrefix("xapp-", least: 10),
        // GitLab, PyPI, OpenAI and Anthropic, Tailscale, Square.
        APIKeyPrefix("glpat-"), APIKeyPrefix("pypi-", least: 40), APIKeyPrefix("sk-", least: 20, isWord: true),
        APIKeyPrefix("tskey-"), APIKeyPrefix("sq0atp-"), APIKeyPrefix("sq0csp-"),
    ]

    /// The beginnings that end with a dot.
    static let dotted: [APIKeyPrefix] = [
        // SendGrid, Google's OAuth, HashiCorp Vault.
        APIKeyPrefix("SG.", least: 40, isWord: true), APIKeyPrefix("ya29.", least: 20, isWord: true),
        APIKeyPrefix("hvs.", least: 20, isWord: true),
    ]

    /// The beginnings around a capital I.
    static let lettered: [APIKeyPrefix] = [
        // Amazon's access keys, lasting and temporary; Google's API keys.
        APIKeyPrefix("AKIA"), APIKeyPrefix("ASIA"), APIKeyPrefix("AIza", least: 30),
    ]

    /// Every beginning there is.
    package static let all = Self.underscored + Self.dashed + Self.dotted + Self.lettered
}
