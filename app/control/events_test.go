package control

import (
	"bufio"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"postbag/app/facts"
)

// TestServerSentEvents: whoever asks for events gets each as it happens, in the
// form that the web knows.
func TestServerSentEvents(t *testing.T) {
	f := filled()
	e := start(t, f, quick())
	conn := raw(t, e.dir, "GET "+prefix+"events HTTP/1.0\r\nHost: x\r\n\r\n")
	defer conn.Close()
	in := bufio.NewScanner(conn)
	var got []facts.Event
	kind, sse := "", false
	for len(got) < len(f.events) && in.Scan() {
		name, value, _ := strings.Cut(in.Text(), ": ")
		switch name {
		case "Content-Type":
			sse = value == "text/event-stream"
		case "event":
			kind = value
		case "data":
			var ev facts.Event
			if err := json.Unmarshal([]byte(value), &ev); err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(ev.Kind) != kind { // a line end in it cannot forge an event
				t.Errorf("event %q carries %q", kind, ev.Kind)
			}
			got = append(got, ev)
		}
	}
	if !sse || !reflect.DeepEqual(got, f.events) {
		t.Errorf("type %v, heard %+v, want %+v", sse, got, f.events)
	}
}
