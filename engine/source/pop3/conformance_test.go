package pop3_test

import (
	"context"
	"testing"

	"postbag/engine/mailtest"
	"postbag/engine/mailtest/conformance"
	"postbag/engine/source"
	"postbag/engine/source/pop3"
)

func TestConformance(t *testing.T) {
	for name, o := range map[string]mailtest.POP3Options{
		"usual": {}, "no pipelining": {NoPipelining: true}, "no CAPA": {NoCAPA: true},
	} {
		t.Run(name, func(t *testing.T) {
			conformance.Source(t, func(t *testing.T) conformance.SourceServer {
				o.Users = map[string]string{"anne": "secret"}
				o.Shared = true // a session that was dropped may still be ending
				p, err := mailtest.NewPOP3(o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = p.Close() })
				return conformance.SourceServer{
					Open: func(ctx context.Context) (source.Session, error) {
						return pop3.Dial(ctx, pop3.Options{Host: p.Host(), Port: p.Port(), Security: pop3.SecurityNone,
							Username: "anne", Password: "secret", AllowPlaintextPassword: true})
					},
					Add:   func(m []byte) { p.AddMessage("anne", "", m) },
					Count: func() int { return len(p.Messages("anne")) },
				}
			})
		})
	}
}
