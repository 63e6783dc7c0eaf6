package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// examples are of commands that need only one, by their path without the
// program's name; commands with more to show have theirs beside their help.
var examples = map[string]string{
	"access why":           "user:alice@example.com api.put API/payments/orders",
	"audit export":         "--from 30d -o november.jsonl",
	"audit tail":           "--team payments --outcome refused",
	"audit verify":         "",
	"catalog":              "--env prod --as-of 2026-11-01",
	"context":              "work",
	"delete":               "product payments/commerce",
	"describe":             "api payments/orders",
	"doctor":               "",
	"evidence add":         "pentest.pdf --team payments",
	"evidence get":         "3f9c2a --out pentest.pdf",
	"evidence list":        "--team payments",
	"explain":              "payments/orders@v1 --env dev --operation createOrder",
	"fmt":                  "--check apis/",
	"framework approve":    "corporate@2026.1 --comment \"as agreed on Monday\"",
	"framework comment":    "corporate@2026.1 \"what of partners?\"",
	"framework list":       "corporate",
	"framework reject":     "corporate@2026.1 --comment \"no control on logging\"",
	"framework show":       "corporate@2026.1",
	"framework submit":     "corporate@2026.1",
	"framework withdraw":   "corporate@2026.1 --reason \"superseded\"",
	"gate answers":         "payments/orders@v1",
	"gate approve":         "wvr_7f3k --comment \"until the new TLS library\"",
	"gate end":             "wvr_7f3k --comment \"no longer needed\"",
	"gate keys":            "> keys.json",
	"gate reject":          "wvr_7f3k --comment \"the control is met in two days\"",
	"gate restore":         "payments/orders@v1 --env prod --reason \"false alarm\"",
	"gate revoke":          "payments/orders@v1 --env prod --reason \"leaks addresses\"",
	"gate waiver":          "wvr_7f3k",
	"gateway-token create": "prod-aws-eu --ttl 10m",
	"gateways":             "",
	"gateways list":        "",
	"gateways revoke":      "prod-aws-eu ip-10-0-0-7",
	"gateways show":        "prod-aws-eu",
	"key create":           "billing/invoices-commerce --expires 90d",
	"key list":             "billing/invoices-commerce",
	"key revoke":           "billing/invoices-commerce key_7f3k",
	"key rotate":           "billing/invoices-commerce --overlap 2h",
	"list":                 "subscriptions --team billing --filter state=requested",
	"login":                "https://control.example.com:9080 --name work",
	"logout":               "work",
	"notify receivers":     "--team payments",
	"notify replay":        "dlv_7f3k",
	"notify secret":        "webhook/chat",
	"notify show":          "dlv_7f3k",
	"notify test":          "webhook/chat",
	"notify types":         "",
	"onboard approve":      "shop-1",
	"onboard ask":          "shop-1 \"who answers at night?\"",
	"onboard list":         "--state requested",
	"onboard reject":       "shop-1 --reason \"there is such a team\"",
	"onboard status":       "shop-1",
	"onboard terms":        "--framework corporate",
	"onboard withdraw":     "shop-1 --reason \"joined another team\"",
	"plan":                 "-f apis/ --set payments --prune",
	"policy list":          "",
	"release abort":        "payments/orders@v1 --env prod --reason \"errors rise\"",
	"release approve":      "payments/orders@v1 --env prod",
	"release cancel":       "payments/orders@v1 --env prod --reason \"not tonight\"",
	"release finish":       "payments/orders@v1 --env prod",
	"release history":      "payments/orders@v1 --env prod",
	"release list":         "--env prod --state waiting",
	"release pause":        "payments/orders@v1 --env prod --reason \"a look at the logs\"",
	"release reject":       "payments/orders@v1 --env prod --reason \"after the holidays\"",
	"release resume":       "payments/orders@v1 --env prod",
	"release withdraw":     "payments/orders@v1 --env dev",
	"rollback":             "payments/orders@v1 --env prod --note \"orders were lost\"",
	"status":               "payments/orders@v1 --env prod",
	"subscription approve": "billing/invoices-commerce",
	"subscription cancel":  "billing/invoices-commerce --reason \"application retired\"",
	"subscription list":    "--team billing",
	"subscription reject":  "billing/invoices-commerce --reason \"take the plan free first\"",
	"subscription resume":  "billing/invoices-commerce",
	"subscription suspend": "billing/invoices-commerce --reason \"key in a public repository\"",
	"support assign":       "SR-7 user:bob@example.com",
	"support close":        "SR-7",
	"support reopen":       "SR-7 --reason \"it is back\"",
	"support reply":        "SR-7 \"fixed in revision 3f9c2a\" --resolve",
	"support show":         "SR-7",
	"team checklist":       "payments",
	"team list":            "--overview",
	"team show":            "payments",
	"token create":         "--subject service:ci --name pipeline --life 30d",
	"token list":           "--subject service:ci",
	"token revoke":         "tok_7f3k",
	"validate":             "-f apis/ --partial",
	"version":              "",
	"whoami":               "",
}

// exemplify gives commands their examples.
func exemplify(root *cobra.Command) {
	for path, args := range examples {
		if c, _, err := root.Find(strings.Fields(path)); err == nil && c.Example == "" {
			c.Example = strings.TrimRight("  "+c.CommandPath()+" "+args, " ")
		}
	}
}
