// The tool loop over gorilla's WebSocket: main URL, by id, with store: false.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/gorilla/websocket"
)

type item struct {
	Type      string `json:"type"`
	CallID    string `json:"call_id"`
	Arguments string `json:"arguments"`
	Content   []struct {
		Text string `json:"text"`
	} `json:"content"`
}

type event struct {
	Type     string `json:"type"`
	Response struct {
		ID     string `json:"id"`
		Output []item `json:"output"`
	} `json:"response"`
}

const tool = `{"type":"function","name":"file_count","description":"Counts the files of a folder.","strict":true,"parameters":{"type":"object",` +
	`"properties":{"folder":{"type":"string"},"depth":{"type":"number"}},"required":["folder","depth"],"additionalProperties":false}}`

func main() {
	address := strings.Replace(os.Args[1], "http", "ws", 1) + "/responses"
	socket, _, err := websocket.DefaultDialer.Dial(address, http.Header{"Authorization": {"Bearer sk-of-a-test"}})
	if err != nil {
		log.Fatal(err)
	}
	defer socket.Close()
	input := []any{map[string]string{"role": "user", "content": "How many files are there?"}}
	previous := ""
	for {
		create := map[string]any{"type": "response.create", "model": "gpt-5.4", "store": false, "input": input,
			"include": []string{"reasoning.encrypted_content"}, "tools": []json.RawMessage{json.RawMessage(tool)}}
		if previous != "" {
			create["previous_response_id"] = previous
		}
		if err := socket.WriteJSON(create); err != nil {
			log.Fatal(err)
		}
		answer := read(socket)
		previous, input = answer.Response.ID, nil
		for _, one := range answer.Response.Output {
			if one.Type == "function_call" {
				input = append(input, map[string]string{"type": "function_call_output", "call_id": one.CallID, "output": count(one.Arguments)})
			}
		}
		if input == nil {
			say(answer.Response.Output)
			return
		}
	}
}

// say hands the last words to the test.
func say(output []item) {
	for _, one := range output {
		for _, part := range one.Content {
			fmt.Print(part.Text)
		}
	}
}

func read(socket *websocket.Conn) event {
	for {
		_, raw, err := socket.ReadMessage()
		if err != nil {
			log.Fatal(err)
		}
		var said event
		if err := json.Unmarshal(raw, &said); err != nil {
			log.Fatal(err)
		}
		switch said.Type {
		case "response.completed":
			return said
		case "error", "response.failed", "response.incomplete":
			log.Fatal(string(raw))
		}
	}
}

func count(arguments string) string {
	var asked struct {
		Folder string  `json:"folder"`
		Depth  float64 `json:"depth"`
	}
	if err := json.Unmarshal([]byte(arguments), &asked); err != nil {
		log.Fatal(err)
	}
	return fmt.Sprintf("%d files", len([]rune(asked.Folder))*int(asked.Depth))
}
