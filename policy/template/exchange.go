package template

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"gatehouse/policy"
)

var named = map[string]Value{
	"subscription": func(x *policy.Exchange) string { return x.Subscription },
	"application":  func(x *policy.Exchange) string { return x.Application },
	"product":      func(x *policy.Exchange) string { return x.Product },
	"plan":         func(x *policy.Exchange) string { return x.Plan },
	"subject":      func(x *policy.Exchange) string { return x.Subject },
	"api":          func(x *policy.Exchange) string { return x.API },
	"operation":    func(x *policy.Exchange) string { return x.Operation },
	"method":       func(x *policy.Exchange) string { return x.Method },
	"host":         func(x *policy.Exchange) string { return x.Host },
	"path":         func(x *policy.Exchange) string { return x.Path },
	"caller":       func(x *policy.Exchange) string { return x.Caller.Unmap().String() },
}

// Exchange looks up what is known of an exchange: subscription, application,
// product, plan, subject, api, operation, method, host, path, caller, param:NAME
// and claim:NAME.
func Exchange(name string) (Value, error) {
	if v, ok := named[name]; ok {
		return v, nil
	}
	if claim, ok := strings.CutPrefix(name, "claim:"); ok && claim != "" {
		return func(x *policy.Exchange) string { return Claim(x.Claims[claim]) }, nil
	}
	if param, ok := strings.CutPrefix(name, "param:"); ok && param != "" {
		return Param(param), nil
	}
	return nil, fmt.Errorf(`"{%s}" is not known; subscription, application, product, plan, subject, api, operation, `+
		`method, host, path, caller, param:NAME and claim:NAME are, and "{{" stands for a brace`, name)
}

// Param is the value of a path parameter, still encoded.
func Param(name string) Value {
	return func(x *policy.Exchange) string {
		if x == nil {
			return ""
		}
		for i := range x.Params {
			if x.Params[i].Name == name {
				return x.Params[i].Value
			}
		}
		return ""
	}
}

// Claim writes a claim as text: strings, numbers and truth values as they are,
// all else as JSON.
func Claim(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}
