// server.dart: a shelf server: listens on every IPv4 address at $PORT, ends well when SIGTERM comes.
import 'dart:io';

import 'package:shelf/shelf.dart';
import 'package:shelf/shelf_io.dart';
import 'package:shelf_router/shelf_router.dart';

void main() async {
  final environment = Platform.environment;
  final greeting = environment['GREETING'] ?? 'Hello';
  final port = int.parse(environment['PORT'] ?? '8080');

  final router = Router()
    ..get('/', (Request request) => Response.ok('$greeting from hello-dart\n'))
    ..get('/healthz', (Request request) => Response.ok('ok\n'));

  // InternetAddress.loopbackIPv4 would not be reachable from outside the sandbox.
  final server = await serve(router.call, InternetAddress.anyIPv4, port);
  ProcessSignal.sigterm.watch().first.then((_) async {
    await server.close();
    exit(0);
  });
}
