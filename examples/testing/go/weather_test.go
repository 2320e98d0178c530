// Run with `go test`, after `turnwire emulate --port 4001` (or with EMULATOR naming another address).
package weather

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"
	"time"
)

var client = &http.Client{Timeout: 10 * time.Second}

func emulator() string {
	if address := os.Getenv("EMULATOR"); address != "" {
		return address
	}
	return "http://127.0.0.1:4001"
}

// call sends one request and reads the JSON of its answer.
func call(t *testing.T, method, url, body string, answer any) {
	t.Helper()
	request, err := http.NewRequest(method, url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s %v", method, url, response.StatusCode, text, err)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		t.Fatal(err)
	}
}

func TestAnswersByScript(t *testing.T) {
	var done struct{ Status string }
	call(t, "PUT", emulator()+"/emulator/script", `{"turns":[{"text":"It rains."}]}`, &done)
	call(t, "POST", emulator()+"/emulator/clear", "", &done)

	var response struct {
		Output []struct{ Content []struct{ Text string } }
	}
	call(t, "POST", emulator()+"/v1/responses", `{"model":"gpt-5.4","input":"The weather?"}`, &response)
	if got := response.Output[0].Content[0].Text; got != "It rains." {
		t.Errorf("got %q", got)
	}

	call(t, "POST", emulator()+"/emulator/settled", "", &done)
	var journal struct{ Turns []struct{ Outcome string } }
	call(t, "GET", emulator()+"/emulator/journal", "", &journal)
	if len(journal.Turns) != 1 || journal.Turns[0].Outcome != "completed" {
		t.Errorf("got %+v", journal.Turns)
	}
}
