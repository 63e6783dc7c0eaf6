package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) usage() *cobra.Command {
	in := adminapi.UsageRequest{}
	c := &cobra.Command{
		Use: "usage", GroupID: "watch", Args: exactly(0, "no arguments but flags"),
		Short:   "Sum what gateways counted",
		Example: "  gatehouse usage --by api,application --from 24h\n  gatehouse usage --by hour --api payments/orders@v1",
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if in.From, err = moment(in.From); err != nil {
				return err
			}
			if in.To, err = moment(in.To); err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).QueryUsage, in)
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table {
				t := table{heads: append(append([]string{}, in.By...), "requests", "bytes in", "bytes out", "p50 ms", "p95 ms")}
				for _, i := range out.Body.Items {
					dimension := map[string]string{"hour": when(i.Hour), "environment": i.Environment, "gateway": i.Gateway, "api": i.API, "operation": i.Operation,
						"application": i.Application, "product": i.Product, "plan": i.Plan, "class": fmt.Sprintf("%dxx", i.Class), "denied": i.Denied, "revision": i.Revision}
					var row []string
					for _, by := range in.By {
						row = append(row, dimension[strings.TrimSpace(by)])
					}
					t.add(append(row, fmt.Sprint(i.Requests), fmt.Sprint(i.BytesIn), fmt.Sprint(i.BytesOut), millis(i.P50), millis(i.P95))...)
				}
				return t
			}, func() []string {
				var apis []string
				for _, i := range out.Body.Items {
					if i.API != "" {
						apis = append(apis, i.API)
					}
				}
				slices.Sort(apis)
				return slices.Compact(apis)
			})
		},
	}
	f := c.Flags()
	f.StringSliceVar(&in.By, "by", []string{"api", "class"}, "dimensions: hour, environment, gateway, api, operation, application, product, plan, class, denied, revision")
	f.StringVar(&in.From, "from", "", "from this moment on, or 24h (ago), which is the default")
	f.StringVar(&in.To, "to", "", "up to this moment")
	f.StringVar(&in.Environment, "env", "", "only this environment")
	f.StringVar(&in.API, "api", "", "only this API version, TEAM/NAME@VERSION")
	f.StringVar(&in.Application, "app", "", "only this application")
	f.StringVar(&in.Product, "product", "", "only this product")
	f.StringVar(&in.Plan, "plan", "", "only this plan")
	return c
}

// millis writes microseconds as milliseconds.
func millis(us int64) string { return fmt.Sprintf("%.3g", float64(us)/1000) }
