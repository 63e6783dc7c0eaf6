package instance

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/ops"
	"gatehouse/settings"
)

// Bind adds the flags that a gateway has wherever it runs.
func (o *Options) Bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.TrafficAddr, "traffic-addr", "", "where callers come in (default :8080, :8443 with a certificate)")
	f.StringVar(&o.Cert, "traffic-cert", "", "PEM file: certificate for HTTPS; read again when it changes")
	f.StringVar(&o.Key, "traffic-key", "", "PEM file: its key")
	f.StringSliceVar(&o.TrustedProxies, "trusted-proxies", nil, "networks whose X-Forwarded-For is believed")
	f.StringSliceVar(&o.FetchFrom, "fetch-from", nil, "private networks that key sets may be fetched from")
	f.StringVar(&o.Valkey, "valkey", "", "redis:// or rediss:// URL of a Valkey that counts shared limits exactly; else the control plane hands out shares")
	f.StringVar(&o.AccessLog, "access-log", "", "file for a line of JSON for each request, - for standard output")
	f.BoolVar(&o.FastLane, "fast-lane", true, "serve ordinary HTTP/1.1 requests without net/http, for less CPU time; answers are the same")
	f.DurationVar(&o.DrainDelay, "drain-delay", 0, "how long to serve on after being told to stop, while /readyz says no, so that load balancers look away first")
	f.DurationVar(&o.Interval, "report-interval", 10*time.Second, "how often counts are rolled up and sent")
}

// Command is the command that runs one gateway instance.
func Command(name, version string, getenv func(string) string) *cobra.Command {
	var o Options
	var common settings.Common
	c := &cobra.Command{
		Use: name, Args: cobra.NoArgs,
		Short: "Run one gateway instance",
		Long: `Run one gateway instance. The first start joins the control plane with a token from
"gatehouse gateway-token create", which is good once: for the same instance again while it
has not kept its certificate. Later ones need none. What it got last lies in --data, so that
it starts and serves without the control plane.

It talks to the control plane by TLS alone, on the port of the management API, also on the
same machine and where people use plain http there: --control https://127.0.0.1:9080. No
certificate has to be made for that: the token tells which one to trust.`,
		Example: "  " + example(name) + " --control https://control.example.com:9080 --token ghj_…",
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Control == "" {
				return errors.New("--control says where the control plane is, such as https://control.example.com:9080")
			}
			log, err := common.Logger(c.ErrOrStderr())
			if err != nil {
				return err
			}
			o.Log, o.Version = log, version
			return run(c.Context(), o, common)
		},
	}
	common.Bind(c)
	o.Bind(c)
	f := c.Flags()
	f.StringVar(&o.Control, "control", "", "URL of the control plane")
	f.StringVar(&o.Token, "token", "", "join token, for the first start")
	f.StringVar(&o.Name, "name", "", "name of this instance (default the host's name)")
	f.StringVar(&o.Data, "data", filepath.Join(".", "gatehouse-gateway-data"), "directory of identity, last good configuration and counts")
	settings.Bind(c, getenv)
	return c
}

// example is the command as it is typed.
func example(name string) string {
	if name == "gateway" {
		return "gatehouse gateway"
	}
	return name
}

func run(ctx context.Context, o Options, common settings.Common) error {
	operators, err := common.Listen()
	if err != nil {
		return err
	}
	defer operators.Close()
	if bound := ops.BoundMemory(os.Getenv, os.DirFS("/")); bound > 0 {
		o.Log.Info("memory is bounded by the container's", "bytes", bound)
	}
	i, err := Open(ctx, o)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: ops.Handler(i.Ready, i.Gateway.Collector()), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(operators) }() // ends with Close
	defer s.Close()
	o.Log.Info("gateway is up", "address", i.URL(), "instance", i.Name)
	return i.Run(ctx)
}
