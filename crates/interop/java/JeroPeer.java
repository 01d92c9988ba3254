import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.zeromq.ZMQ;
import org.zeromq.ZMQException;
import zmq.ZError;

/** Plays a side of a conversation with JeroMQ: one line of request on standard input, one line of answer on standard output. */
public final class JeroPeer {
    /** A failure with libzmq's name for it. */
    private static final class Failure extends Exception {
        final String code;

        Failure(String code, String text) {
            super(text);
            this.code = code;
        }
    }

    private final ZMQ.Context context = ZMQ.context(1);
    private final Map<String, ZMQ.Socket> sockets = new HashMap<>();
    private final Map<String, ZMQ.Socket> monitors = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII), 1 << 16);
        PrintStream output = new PrintStream(System.out, false, "US-ASCII");
        JeroPeer peer = new JeroPeer();
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            output.print(peer.answer(line.trim()) + "\n");
            output.flush();
        }
        System.exit(0);
    }

    private String answer(String line) {
        try {
            return "ok " + perform(line.split(" "));
        } catch (Failure failure) {
            return "err " + failure.code + " " + failure.getMessage();
        } catch (ZMQException exception) {
            return "err " + name(exception.getErrorCode()) + " " + exception.getMessage();
        } catch (IllegalArgumentException exception) {
            return "err UNSUPPORTED JeroMQ " + ZMQ.getVersionString() + ": " + exception.getMessage();
        } catch (RuntimeException exception) {
            return "err EOTHER " + exception.toString().replace('\n', ' ');
        }
    }

    private String perform(String[] words) throws Failure {
        if (words[0].equals("version")) {
            return "JeroMQ " + ZMQ.getVersionString();
        }
        String name = words[1];
        if (words[0].equals("open")) {
            sockets.put(name, context.socket(type(words[2])));
            return "";
        }
        ZMQ.Socket socket = sockets.get(name);
        if (socket == null) {
            throw new Failure("EINVAL", "no socket " + name);
        }
        switch (words[0]) {
            case "set":
                set(socket, words[2], words[3]);
                return "";
            case "bind":
                return bind(socket, words[2]);
            case "connect":
                socket.connect(words[2]);
                return "";
            case "unbind":
            case "disconnect":
                // Looks at the mailbox, as libzmq does in its calls.
                socket.getEvents();
                if (!socket.base().termEndpoint(words[2])) {
                    throw new Failure("ENOENT", "no endpoint " + words[2]);
                }
                return "";
            case "subscribe":
                socket.subscribe(octets(words[2]));
                return "";
            case "unsubscribe":
                socket.unsubscribe(octets(words[2]));
                return "";
            case "send":
                return send(socket, words);
            case "recv":
                return receive(socket, Integer.parseInt(words[2]));
            case "monitor":
                return monitor(name, socket);
            case "event":
                return event(monitors.get(name), words[2], Integer.parseInt(words[3]));
            case "close":
                close(name);
                return "";
            default:
                throw new Failure("EINVAL", "unknown verb " + words[0]);
        }
    }

    private static String bind(ZMQ.Socket socket, String endpoint) throws Failure {
        if (!endpoint.startsWith("tcp:")) {
            throw new Failure("UNSUPPORTED", "JeroMQ has no " + endpoint.split(":")[0]);
        }
        if (endpoint.endsWith(":0")) {
            // JeroMQ tries ports at random, and fails in a monitored socket when the first one is taken.
            endpoint = endpoint.substring(0, endpoint.length() - 1) + freePort();
        }
        socket.bind(endpoint);
        return endpoint;
    }

    private static int freePort() throws Failure {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException exception) {
            throw new Failure("EOTHER", exception.getMessage());
        }
    }

    private static String send(ZMQ.Socket socket, String[] words) throws Failure {
        socket.setSendTimeOut(Integer.parseInt(words[2]));
        for (int index = 3; index < words.length; index++) {
            int flags = index + 1 < words.length ? ZMQ.SNDMORE : 0;
            if (!socket.send(octets(words[index]), flags)) {
                throw new Failure(name(socket.base().errno()), "not sent");
            }
        }
        return "";
    }

    private static List<byte[]> frames(ZMQ.Socket socket, int wait) throws Failure {
        socket.setReceiveTimeOut(wait);
        List<byte[]> frames = new ArrayList<>();
        do {
            byte[] frame = socket.recv(0);
            if (frame == null) {
                throw new Failure(name(socket.base().errno()), "nothing received");
            }
            frames.add(frame);
        } while (socket.hasReceiveMore());
        return frames;
    }

    private static String receive(ZMQ.Socket socket, int wait) throws Failure {
        StringBuilder line = new StringBuilder();
        for (byte[] frame : frames(socket, wait)) {
            line.append(line.length() == 0 ? "" : " ");
            if (frame.length == 0) {
                line.append('-');
            }
            for (byte octet : frame) {
                line.append(Character.forDigit(octet >> 4 & 15, 16)).append(Character.forDigit(octet & 15, 16));
            }
        }
        return line.toString();
    }

    private String monitor(String name, ZMQ.Socket socket) {
        String endpoint = "inproc://monitor-" + name;
        socket.monitor(endpoint, ZMQ.EVENT_ALL);
        ZMQ.Socket monitor = context.socket(ZMQ.PAIR);
        monitor.connect(endpoint);
        monitors.put(name, monitor);
        return "";
    }

    private static String event(ZMQ.Socket monitor, String wanted, int wait) throws Failure {
        if (wanted.startsWith("HANDSHAKE")) {
            throw new Failure("UNSUPPORTED", "JeroMQ has no event " + wanted);
        }
        long deadline = System.currentTimeMillis() + wait;
        while (monitor != null) {
            monitor.setReceiveTimeOut((int) Math.max(0, deadline - System.currentTimeMillis()));
            ZMQ.Event event = ZMQ.Event.recv(monitor);
            if (event == null) {
                throw new Failure("EAGAIN", "no event");
            }
            if (eventName(event.getEvent()).equals(wanted)) {
                return wanted;
            }
        }
        throw new Failure("EINVAL", "no monitor");
    }

    private void close(String name) {
        ZMQ.Socket monitor = monitors.remove(name);
        if (monitor != null) {
            sockets.get(name).monitor(null, 0);
            monitor.close();
        }
        sockets.remove(name).close();
    }

    private static void set(ZMQ.Socket socket, String option, String value) throws Failure {
        byte[] octets = value.startsWith("x:") ? octets(value.substring(2)) : new byte[0];
        long number = value.startsWith("i:") ? Long.parseLong(value.substring(2)) : 0;
        switch (option) {
            case "LINGER":
                socket.setLinger(number);
                break;
            case "SNDHWM":
                socket.setSndHWM(number);
                break;
            case "RCVHWM":
                socket.setRcvHWM(number);
                break;
            case "RECONNECT_IVL":
                socket.setReconnectIVL(number);
                break;
            case "ROUTING_ID":
                if (octets.length > Byte.MAX_VALUE) {
                    throw new Failure("UNSUPPORTED", "JeroMQ takes the length of a routing id for a signed octet");
                }
                socket.setIdentity(octets);
                break;
            case "ROUTER_MANDATORY":
                socket.setRouterMandatory(number != 0);
                break;
            case "XPUB_VERBOSE":
                socket.setXpubVerbose(number != 0);
                break;
            default:
                throw new Failure("UNSUPPORTED", "JeroMQ " + ZMQ.getVersionString() + " has no " + option);
        }
    }

    private static int type(String name) throws Failure {
        String[] names = {"PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"};
        for (int index = 0; index < names.length; index++) {
            if (names[index].equals(name)) {
                return index;
            }
        }
        throw new Failure("EINVAL", "no socket type " + name);
    }

    private static String eventName(int event) {
        switch (event) {
            case ZMQ.EVENT_CONNECTED:
                return "CONNECTED";
            case ZMQ.EVENT_CONNECT_RETRIED:
                return "CONNECT_RETRIED";
            case ZMQ.EVENT_ACCEPTED:
                return "ACCEPTED";
            case ZMQ.EVENT_DISCONNECTED:
                return "DISCONNECTED";
            default:
                return "UNKNOWN";
        }
    }

    private static String name(int error) {
        if (error == ZError.EAGAIN) {
            return "EAGAIN";
        }
        if (error == ZError.EHOSTUNREACH) {
            return "EHOSTUNREACH";
        }
        return error == ZError.EFSM ? "EFSM" : "EOTHER-" + error;
    }

    private static byte[] octets(String word) {
        if (word.equals("-")) {
            return new byte[0];
        }
        ByteArrayOutputStream octets = new ByteArrayOutputStream(word.length() / 2);
        for (int index = 0; index + 1 < word.length(); index += 2) {
            octets.write(Character.digit(word.charAt(index), 16) << 4 | Character.digit(word.charAt(index + 1), 16));
        }
        return octets.toByteArray();
    }
}
