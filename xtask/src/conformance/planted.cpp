// Does wrong what whoever watches must see, inside the library where that is possible.
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

int main ()
{
    const char *fault = getenv ("PLANTED");
    void *context = zmq_ctx_new ();
    void *one = zmq_socket (context, ZMQ_PAIR);
    void *other = zmq_socket (context, ZMQ_PAIR);
    zmq_bind (one, "inproc://pair");
    zmq_connect (other, "inproc://pair");
    char *octets = (char *) malloc (100);
    memset (octets, 7, 100);
    if (!strcmp (fault, "beyond"))
        zmq_send (one, octets, 101, 0);
    free (octets);
    if (!strcmp (fault, "after"))
        zmq_send (one, octets, 100, 0);
    if (!strncmp (fault, "late", 4)) {
        zmq_msg_t message;
        zmq_msg_init_size (&message, strcmp (fault, "late") ? 50 : 1000);
        char *data = (char *) zmq_msg_data (&message);
        zmq_msg_close (&message);
        data[0] = 7;
    }
    if (!strcmp (fault, "leak")) {
        zmq_msg_t message;
        zmq_msg_init_size (&message, 1000);
        memset (&message, 0, sizeof message);
    }
    zmq_close (one);
    zmq_close (other);
    return zmq_ctx_term (context);
}
