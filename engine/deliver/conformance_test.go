package deliver_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"

	"postbag/engine/deliver"
	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/mailtest/conformance"
)

// The scripted server passes the suite that Postfix and Dovecot pass, with
// SMTP (rules 38, 39, 41 and 43) and with LMTP.
func TestConformanceOfTheFake(t *testing.T) {
	for _, protocol := range []string{deliver.ProtocolSMTP, deliver.ProtocolLMTP} {
		t.Run(protocol, func(t *testing.T) {
			conformance.Target(t, func(t *testing.T) conformance.TargetServer {
				known := []string{"anne@office.test", "bob@office.test"}
				s, err := mailtest.NewSMTP(mailtest.SMTPOptions{LMTP: protocol == deliver.ProtocolLMTP, Users: known})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Close() })
				c, err := deliver.Dial(t.Context(), deliver.Target{Host: s.Host(), Port: s.Port(), Protocol: protocol}, deliver.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.Close() })
				return conformance.TargetServer{
					Known: known, Unknown: "ghost@office.test",
					Send: func(ctx context.Context, j mail.Job, trace, message []byte) ([]mail.Outcome, error) {
						return c.Send(ctx, deliver.Letter{Job: j, Trace: trace, Open: func(context.Context) (io.ReadCloser, error) {
							return io.NopCloser(bytes.NewReader(message)), nil
						}})
					},
					Received: func(address string) (got [][]byte) {
						for _, m := range s.Mails() {
							if slices.Contains(m.Rcpts, address) {
								got = append(got, m.Data)
							}
						}
						return got
					},
				}
			})
		})
	}
}
