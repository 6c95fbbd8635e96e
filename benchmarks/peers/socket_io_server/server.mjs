// A broadcast server on Socket.IO, as its documentation shows: WebSocket only, without compression, no pings meanwhile.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false, pingInterval: 3_600_000 });

io.on("connection", (socket) => {
  socket.on("listen", (room, done) => {
    socket.join(room);
    done();
  });
  socket.on("note", (room, note) => io.to(room).emit("note", note));
});

http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => console.log(http.address().port));
process.on("SIGTERM", () => process.exit(0));
