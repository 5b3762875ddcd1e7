//go:build linux

package real_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"postbag/engine/deliver"
	"postbag/engine/mail"
	"postbag/engine/mailtest/conformance"
	"postbag/engine/mailtest/real"
)

// TestTargetConformance runs the suite that the scripted server passes against
// Postfix over SMTP and Dovecot over LMTP. rules 38, 39, 41 and 43
func TestTargetConformance(t *testing.T) {
	t.Parallel()
	known := []string{"anne@office.test", "bob@office.test"}
	server := func(t *testing.T, to deliver.Target, received func(string) [][]byte) conformance.TargetServer {
		c := connect(t, to)
		return conformance.TargetServer{
			Known: known, Unknown: "ghost@office.test", Received: received,
			Send: func(ctx context.Context, j mail.Job, trace, message []byte) ([]mail.Outcome, error) {
				return c.Send(ctx, deliver.Letter{Job: j, Trace: trace, Open: func(context.Context) (io.ReadCloser, error) {
					return io.NopCloser(bytes.NewReader(message)), nil
				}})
			},
		}
	}
	t.Run("Postfix", func(t *testing.T) {
		conformance.Target(t, func(t *testing.T) conformance.TargetServer {
			p := real.StartPostfix(t, real.PostfixOptions{Users: known})
			return server(t, target(t, p.Addr), func(address string) [][]byte {
				p.Settle()
				return p.Maildir(address)
			})
		})
	})
	t.Run("Dovecot", func(t *testing.T) {
		conformance.Target(t, func(t *testing.T) conformance.TargetServer {
			d := real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{known[0]: "x", known[1]: "x"}})
			to := target(t, d.LMTPAddr)
			to.Protocol = deliver.ProtocolLMTP
			return server(t, to, d.Messages)
		})
	})
}
