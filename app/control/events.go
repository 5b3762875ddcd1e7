package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"postbag/app/facts"
)

// events tells everything that happens as server-sent events, until the client
// goes or the engine stops: for programs and people who look on with ordinary
// tools (curl --unix-socket).
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	defer s.calls.Done()
	line := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	if line.Flush() != nil {
		return // the client is gone
	}
	err := s.svc.Watch(r.Context(), func(ev facts.Event) error {
		data, err := json.Marshal(ev)
		if err != nil {
			return fmt.Errorf("event %s: %w", ev.Kind, err)
		}
		if err := line.SetWriteDeadline(time.Now().Add(s.t.Write)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", strings.Join(strings.Fields(ev.Kind), " "), data); err != nil {
			return err
		}
		return line.Flush()
	})
	if err != nil {
		s.log.Debug("control: the listener is gone", "error", err)
	}
}
