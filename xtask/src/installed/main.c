/* Sends a message to itself, and tells the version that runs and the one it was compiled for. */
#include <stdio.h>
#include <string.h>
#include <zmq.h>
#include <zmq_utils.h>

int main (void)
{
    int major, minor, patch;
    char got[5] = "";
    void *context = zmq_ctx_new ();
    void *one = zmq_socket (context, ZMQ_PAIR);
    void *other = zmq_socket (context, ZMQ_PAIR);

    zmq_version (&major, &minor, &patch);
    if (ZMQ_MAKE_VERSION (major, minor, patch) != ZMQ_VERSION)
        return 1;
    if (zmq_bind (one, "inproc://pair") || zmq_connect (other, "inproc://pair"))
        return 2;
    if (zmq_send (one, "moin", 4, 0) != 4 || zmq_recv (other, got, 4, 0) != 4)
        return 3;
    if (zmq_close (one) || zmq_close (other) || zmq_ctx_term (context))
        return 4;
    printf ("%d.%d.%d %s\n", major, minor, patch, got);
    return 0;
}
