"""The wire to ComfyUI servers: HTTP, websocket, and their odd ways. Alone in importing websockets."""
