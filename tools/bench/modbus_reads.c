/* A libmodbus TCP server for the read benchmark: modbus_reads PORT STEP CHANGING.
 * It prints "listening" and serves one connection after the other. After every STEP reads (0: never) the first
 * CHANGING of each 125 holding registers count up. */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REGISTERS = 1000, BLOCK = 125 };

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int step = atoi(argv[2]), changing = atoi(argv[3]), reads = 0;
    modbus_t *server = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    modbus_mapping_t *map = modbus_mapping_new(0, 0, REGISTERS, 0);
    int listener = server && map ? modbus_tcp_listen(server, 4) : -1;
    if (listener < 0) {
        fprintf(stderr, "%s\n", modbus_strerror(errno));
        return 1;
    }
    puts("listening");
    fflush(stdout);
    for (;;) {
        if (modbus_tcp_accept(server, &listener) < 0)
            return 1;
        uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
        for (;;) {
            int size = modbus_receive(server, query);
            if (size < 0)
                break;
            if (size == 0)
                continue;
            if (step && ++reads % step == 0)
                for (int block = 0; block < REGISTERS; block += BLOCK)
                    for (int i = 0; i < changing; i++)
                        map->tab_registers[block + i]++;
            modbus_reply(server, query, size, map);
        }
        modbus_close(server);
    }
}
